"""The whole of Hookport in one thread, one virtual time and one seed: what fails once fails again."""
