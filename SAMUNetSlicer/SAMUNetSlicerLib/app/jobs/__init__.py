"""Run whole jobs without a user: segment a volume, replay provenance, the demo, the doctor."""
