package openapi

import (
	"context"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// clientcalls.go owns the requests as calls of a Client. They are those of
// calls.go, which a test holds them to; a Client cannot embed calls, because
// its zero value is to be ready.

// ApplicationAuth sends ProtoOAApplicationAuthReq (2100) and returns its
// ApplicationAuthRes.
func (c *Client) ApplicationAuth(ctx context.Context, req *message.ApplicationAuthReq) (*message.ApplicationAuthRes, error) {
	return answered[*message.ApplicationAuthRes](c.Do(ctx, req))
}

// AccountAuth sends ProtoOAAccountAuthReq (2102) and returns its
// AccountAuthRes.
func (c *Client) AccountAuth(ctx context.Context, req *message.AccountAuthReq) (*message.AccountAuthRes, error) {
	return answered[*message.AccountAuthRes](c.Do(ctx, req))
}

// Version sends ProtoOAVersionReq (2104) and returns its VersionRes.
func (c *Client) Version(ctx context.Context, req *message.VersionReq) (*message.VersionRes, error) {
	return answered[*message.VersionRes](c.Do(ctx, req))
}

// NewOrder sends ProtoOANewOrderReq (2106) and returns its ExecutionEvent.
// Orders have no answer of their own: the first ExecutionEvent for the request
// says what became of it, and later ones come as events. After an error that
// does not say that the order was refused it may have been carried out; look
// with Reconcile before sending it again.
func (c *Client) NewOrder(ctx context.Context, req *message.NewOrderReq) (*message.ExecutionEvent, error) {
	return answered[*message.ExecutionEvent](c.Do(ctx, req))
}

// CancelOrder sends ProtoOACancelOrderReq (2108) and returns its
// ExecutionEvent. Orders have no answer of their own: the first ExecutionEvent
// for the request says what became of it, and later ones come as events. After
// an error that does not say that the order was refused it may have been
// carried out; look with Reconcile before sending it again.
func (c *Client) CancelOrder(ctx context.Context, req *message.CancelOrderReq) (*message.ExecutionEvent, error) {
	return answered[*message.ExecutionEvent](c.Do(ctx, req))
}

// AmendOrder sends ProtoOAAmendOrderReq (2109) and returns its ExecutionEvent.
// Orders have no answer of their own: the first ExecutionEvent for the request
// says what became of it, and later ones come as events. After an error that
// does not say that the order was refused it may have been carried out; look
// with Reconcile before sending it again.
func (c *Client) AmendOrder(ctx context.Context, req *message.AmendOrderReq) (*message.ExecutionEvent, error) {
	return answered[*message.ExecutionEvent](c.Do(ctx, req))
}

// AmendPositionSLTP sends ProtoOAAmendPositionSLTPReq (2110) and returns its
// ExecutionEvent. Orders have no answer of their own: the first ExecutionEvent
// for the request says what became of it, and later ones come as events. After
// an error that does not say that the order was refused it may have been
// carried out; look with Reconcile before sending it again.
func (c *Client) AmendPositionSLTP(ctx context.Context, req *message.AmendPositionSLTPReq) (*message.ExecutionEvent, error) {
	return answered[*message.ExecutionEvent](c.Do(ctx, req))
}

// ClosePosition sends ProtoOAClosePositionReq (2111) and returns its
// ExecutionEvent. Orders have no answer of their own: the first ExecutionEvent
// for the request says what became of it, and later ones come as events. After
// an error that does not say that the order was refused it may have been
// carried out; look with Reconcile before sending it again.
func (c *Client) ClosePosition(ctx context.Context, req *message.ClosePositionReq) (*message.ExecutionEvent, error) {
	return answered[*message.ExecutionEvent](c.Do(ctx, req))
}

// AssetList sends ProtoOAAssetListReq (2112) and returns its AssetListRes.
func (c *Client) AssetList(ctx context.Context, req *message.AssetListReq) (*message.AssetListRes, error) {
	return answered[*message.AssetListRes](c.Do(ctx, req))
}

// SymbolsList sends ProtoOASymbolsListReq (2114) and returns its
// SymbolsListRes.
func (c *Client) SymbolsList(ctx context.Context, req *message.SymbolsListReq) (*message.SymbolsListRes, error) {
	return answered[*message.SymbolsListRes](c.Do(ctx, req))
}

// SymbolByID sends ProtoOASymbolByIdReq (2116) and returns its SymbolByIDRes.
func (c *Client) SymbolByID(ctx context.Context, req *message.SymbolByIDReq) (*message.SymbolByIDRes, error) {
	return answered[*message.SymbolByIDRes](c.Do(ctx, req))
}

// SymbolsForConversion sends ProtoOASymbolsForConversionReq (2118) and returns
// its SymbolsForConversionRes.
func (c *Client) SymbolsForConversion(ctx context.Context, req *message.SymbolsForConversionReq) (*message.SymbolsForConversionRes, error) {
	return answered[*message.SymbolsForConversionRes](c.Do(ctx, req))
}

// Trader sends ProtoOATraderReq (2121) and returns its TraderRes.
func (c *Client) Trader(ctx context.Context, req *message.TraderReq) (*message.TraderRes, error) {
	return answered[*message.TraderRes](c.Do(ctx, req))
}

// Reconcile sends ProtoOAReconcileReq (2124) and returns its ReconcileRes.
func (c *Client) Reconcile(ctx context.Context, req *message.ReconcileReq) (*message.ReconcileRes, error) {
	return answered[*message.ReconcileRes](c.Do(ctx, req))
}

// SubscribeSpots sends ProtoOASubscribeSpotsReq (2127) and returns its
// SubscribeSpotsRes. The answer only confirms; what was subscribed to comes as
// events, and a new connection has to subscribe anew.
func (c *Client) SubscribeSpots(ctx context.Context, req *message.SubscribeSpotsReq) (*message.SubscribeSpotsRes, error) {
	return answered[*message.SubscribeSpotsRes](c.Do(ctx, req))
}

// UnsubscribeSpots sends ProtoOAUnsubscribeSpotsReq (2129) and returns its
// UnsubscribeSpotsRes.
func (c *Client) UnsubscribeSpots(ctx context.Context, req *message.UnsubscribeSpotsReq) (*message.UnsubscribeSpotsRes, error) {
	return answered[*message.UnsubscribeSpotsRes](c.Do(ctx, req))
}

// DealList sends ProtoOADealListReq (2133) and returns its DealListRes.
func (c *Client) DealList(ctx context.Context, req *message.DealListReq) (*message.DealListRes, error) {
	return answered[*message.DealListRes](c.Do(ctx, req))
}

// SubscribeLiveTrendbar sends ProtoOASubscribeLiveTrendbarReq (2135) and
// returns its SubscribeLiveTrendbarRes. The answer only confirms; what was
// subscribed to comes as events, and a new connection has to subscribe anew.
func (c *Client) SubscribeLiveTrendbar(ctx context.Context, req *message.SubscribeLiveTrendbarReq) (*message.SubscribeLiveTrendbarRes, error) {
	return answered[*message.SubscribeLiveTrendbarRes](c.Do(ctx, req))
}

// UnsubscribeLiveTrendbar sends ProtoOAUnsubscribeLiveTrendbarReq (2136) and
// returns its UnsubscribeLiveTrendbarRes.
func (c *Client) UnsubscribeLiveTrendbar(ctx context.Context, req *message.UnsubscribeLiveTrendbarReq) (*message.UnsubscribeLiveTrendbarRes, error) {
	return answered[*message.UnsubscribeLiveTrendbarRes](c.Do(ctx, req))
}

// GetTrendbars sends ProtoOAGetTrendbarsReq (2137) and returns its
// GetTrendbarsRes.
func (c *Client) GetTrendbars(ctx context.Context, req *message.GetTrendbarsReq) (*message.GetTrendbarsRes, error) {
	return answered[*message.GetTrendbarsRes](c.Do(ctx, req))
}

// ExpectedMargin sends ProtoOAExpectedMarginReq (2139) and returns its
// ExpectedMarginRes.
func (c *Client) ExpectedMargin(ctx context.Context, req *message.ExpectedMarginReq) (*message.ExpectedMarginRes, error) {
	return answered[*message.ExpectedMarginRes](c.Do(ctx, req))
}

// CashFlowHistoryList sends ProtoOACashFlowHistoryListReq (2143) and returns
// its CashFlowHistoryListRes.
func (c *Client) CashFlowHistoryList(ctx context.Context, req *message.CashFlowHistoryListReq) (*message.CashFlowHistoryListRes, error) {
	return answered[*message.CashFlowHistoryListRes](c.Do(ctx, req))
}

// GetTickData sends ProtoOAGetTickDataReq (2145) and returns its
// GetTickDataRes.
func (c *Client) GetTickData(ctx context.Context, req *message.GetTickDataReq) (*message.GetTickDataRes, error) {
	return answered[*message.GetTickDataRes](c.Do(ctx, req))
}

// GetAccountListByAccessToken sends ProtoOAGetAccountListByAccessTokenReq
// (2149) and returns its GetAccountListByAccessTokenRes.
func (c *Client) GetAccountListByAccessToken(ctx context.Context, req *message.GetAccountListByAccessTokenReq) (*message.GetAccountListByAccessTokenRes, error) {
	return answered[*message.GetAccountListByAccessTokenRes](c.Do(ctx, req))
}

// GetCtidProfileByToken sends ProtoOAGetCtidProfileByTokenReq (2151) and
// returns its GetCtidProfileByTokenRes.
func (c *Client) GetCtidProfileByToken(ctx context.Context, req *message.GetCtidProfileByTokenReq) (*message.GetCtidProfileByTokenRes, error) {
	return answered[*message.GetCtidProfileByTokenRes](c.Do(ctx, req))
}

// AssetClassList sends ProtoOAAssetClassListReq (2153) and returns its
// AssetClassListRes.
func (c *Client) AssetClassList(ctx context.Context, req *message.AssetClassListReq) (*message.AssetClassListRes, error) {
	return answered[*message.AssetClassListRes](c.Do(ctx, req))
}

// SubscribeDepthQuotes sends ProtoOASubscribeDepthQuotesReq (2156) and returns
// its SubscribeDepthQuotesRes. The answer only confirms; what was subscribed to
// comes as events, and a new connection has to subscribe anew.
func (c *Client) SubscribeDepthQuotes(ctx context.Context, req *message.SubscribeDepthQuotesReq) (*message.SubscribeDepthQuotesRes, error) {
	return answered[*message.SubscribeDepthQuotesRes](c.Do(ctx, req))
}

// UnsubscribeDepthQuotes sends ProtoOAUnsubscribeDepthQuotesReq (2158) and
// returns its UnsubscribeDepthQuotesRes.
func (c *Client) UnsubscribeDepthQuotes(ctx context.Context, req *message.UnsubscribeDepthQuotesReq) (*message.UnsubscribeDepthQuotesRes, error) {
	return answered[*message.UnsubscribeDepthQuotesRes](c.Do(ctx, req))
}

// SymbolCategoryList sends ProtoOASymbolCategoryListReq (2160) and returns its
// SymbolCategoryListRes.
func (c *Client) SymbolCategoryList(ctx context.Context, req *message.SymbolCategoryListReq) (*message.SymbolCategoryListRes, error) {
	return answered[*message.SymbolCategoryListRes](c.Do(ctx, req))
}

// AccountLogout sends ProtoOAAccountLogoutReq (2162) and returns its
// AccountLogoutRes. The account is logged out when the AccountDisconnectEvent
// comes, not with this answer.
func (c *Client) AccountLogout(ctx context.Context, req *message.AccountLogoutReq) (*message.AccountLogoutRes, error) {
	return answered[*message.AccountLogoutRes](c.Do(ctx, req))
}

// MarginCallList sends ProtoOAMarginCallListReq (2167) and returns its
// MarginCallListRes.
func (c *Client) MarginCallList(ctx context.Context, req *message.MarginCallListReq) (*message.MarginCallListRes, error) {
	return answered[*message.MarginCallListRes](c.Do(ctx, req))
}

// MarginCallUpdate sends ProtoOAMarginCallUpdateReq (2169) and returns its
// MarginCallUpdateRes.
func (c *Client) MarginCallUpdate(ctx context.Context, req *message.MarginCallUpdateReq) (*message.MarginCallUpdateRes, error) {
	return answered[*message.MarginCallUpdateRes](c.Do(ctx, req))
}

// RefreshToken sends ProtoOARefreshTokenReq (2173) and returns its
// RefreshTokenRes. It is dangerous: a refresh token can be used once, using it
// ends the token before it at once, and the new one has to be saved before
// anything else happens. Only the Keeper should refresh; whoever calls this
// besides it locks the Keeper out and the user has to sign in again. See
// doc/design.md.
func (c *Client) RefreshToken(ctx context.Context, req *message.RefreshTokenReq) (*message.RefreshTokenRes, error) {
	return answered[*message.RefreshTokenRes](c.Do(ctx, req))
}

// OrderList sends ProtoOAOrderListReq (2175) and returns its OrderListRes.
func (c *Client) OrderList(ctx context.Context, req *message.OrderListReq) (*message.OrderListRes, error) {
	return answered[*message.OrderListRes](c.Do(ctx, req))
}

// GetDynamicLeverageByID sends ProtoOAGetDynamicLeverageByIDReq (2177) and
// returns its GetDynamicLeverageByIDRes.
func (c *Client) GetDynamicLeverageByID(ctx context.Context, req *message.GetDynamicLeverageByIDReq) (*message.GetDynamicLeverageByIDRes, error) {
	return answered[*message.GetDynamicLeverageByIDRes](c.Do(ctx, req))
}

// DealListByPositionID sends ProtoOADealListByPositionIdReq (2179) and returns
// its DealListByPositionIDRes.
func (c *Client) DealListByPositionID(ctx context.Context, req *message.DealListByPositionIDReq) (*message.DealListByPositionIDRes, error) {
	return answered[*message.DealListByPositionIDRes](c.Do(ctx, req))
}

// OrderDetails sends ProtoOAOrderDetailsReq (2181) and returns its
// OrderDetailsRes.
func (c *Client) OrderDetails(ctx context.Context, req *message.OrderDetailsReq) (*message.OrderDetailsRes, error) {
	return answered[*message.OrderDetailsRes](c.Do(ctx, req))
}

// OrderListByPositionID sends ProtoOAOrderListByPositionIdReq (2183) and
// returns its OrderListByPositionIDRes.
func (c *Client) OrderListByPositionID(ctx context.Context, req *message.OrderListByPositionIDReq) (*message.OrderListByPositionIDRes, error) {
	return answered[*message.OrderListByPositionIDRes](c.Do(ctx, req))
}

// DealOffsetList sends ProtoOADealOffsetListReq (2185) and returns its
// DealOffsetListRes.
func (c *Client) DealOffsetList(ctx context.Context, req *message.DealOffsetListReq) (*message.DealOffsetListRes, error) {
	return answered[*message.DealOffsetListRes](c.Do(ctx, req))
}

// GetPositionUnrealizedPnL sends ProtoOAGetPositionUnrealizedPnLReq (2187) and
// returns its GetPositionUnrealizedPnLRes.
func (c *Client) GetPositionUnrealizedPnL(ctx context.Context, req *message.GetPositionUnrealizedPnLReq) (*message.GetPositionUnrealizedPnLRes, error) {
	return answered[*message.GetPositionUnrealizedPnLRes](c.Do(ctx, req))
}
