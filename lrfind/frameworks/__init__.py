"""Projects written for a framework, one file a framework: each imports its library when used."""
