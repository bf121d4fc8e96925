"""The stages an article passes, one file each."""
