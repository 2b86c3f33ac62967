package diagnose

// All is everything that can be concluded.
var All = &Catalogue{}
