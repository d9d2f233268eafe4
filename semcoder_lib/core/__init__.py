"""Values, records, errors, files, profile: what every room above stands on."""
