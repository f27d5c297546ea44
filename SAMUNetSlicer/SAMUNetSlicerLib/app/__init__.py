"""Policy: sessions, jobs, provenance, settings.  No Qt; front ends drive it and listen to plain events."""
