"""The operator for HighAvailabilityApp: a user states what must stay true, the operator writes what makes it so."""
