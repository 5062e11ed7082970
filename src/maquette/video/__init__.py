"""Films in and out: frames with their times, stretches, sound, and steadiness over time."""
