"""Keep a user's points and boxes as markups nodes in the scene."""
