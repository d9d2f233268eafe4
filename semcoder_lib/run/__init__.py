"""A run's folder and its steps, papermill, doctor, command line."""
