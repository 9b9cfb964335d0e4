package openapi

import (
	"reflect"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// account.go owns finding the account that a request is about.

// accountOf returns the account that a request names, if it names one. The messages
// have a field for it but no method, hence reflection; its cost is negligible next to
// a round trip.
func accountOf(req message.Message) (int64, bool) {
	v := reflect.ValueOf(opened(req))
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return 0, false
	}
	field := v.Elem().FieldByName("CtidTraderAccountID")
	if !field.IsValid() || !field.CanInt() {
		return 0, false
	}
	return field.Int(), true
}
