"""The commands of ``onrecord``, one file each: a few lines around a public function."""
