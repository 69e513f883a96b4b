"""The parts of `benchmarks/trainer/accuracy.py`: photos held out, trainings, and their scores."""
