"""Gold files, scores with intervals, comparison of runs, agreement of annotators."""
