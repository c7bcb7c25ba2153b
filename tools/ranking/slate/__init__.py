"""From a ranking to the list that is shown: diversity, calibration, repeats, exploration."""
