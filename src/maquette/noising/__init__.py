"""Between pictures and noise: schedules, targets, samplers. And how diffusers writes them down."""
