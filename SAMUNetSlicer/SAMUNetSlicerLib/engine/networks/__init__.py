"""Define the networks (SAM-UNet, the compact SAM-UNet, SAM) and faster forms of their blocks."""
