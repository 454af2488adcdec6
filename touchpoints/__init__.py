"""What a webhook is, how a sender is proved, how it is planned, and where it goes. Imports none of our other packages."""
