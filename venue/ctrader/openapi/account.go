package openapi

import (
	"reflect"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// account.go owns finding out which account a request is about.

// accountOf is the account of a request that names one. The messages have a
// field for it and no method, hence reflection; beside a round trip it is
// nothing.
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
