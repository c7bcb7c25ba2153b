"""LoRA training of the small language model for its jobs: planning, writing, extracting.

rows.py reads what is learned, network.py runs the model in two halves, states.py keeps what the frozen half gives, training.py learns,
adapter.py writes what was learned and merges it into the base.
"""
