"""Files that ship with Kindred: starter bundle, sample archive, icons, window presets."""
