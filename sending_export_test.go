package venuekey

// WithSending gives a context as a renewal has one: BeforeSending asks the check.
var WithSending = withSending
