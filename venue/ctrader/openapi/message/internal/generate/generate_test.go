package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCommittedFilesAreWhatIsGenerated(t *testing.T) {
	files, err := generate(messagesTable, enumsTable)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the tables say; run go generate in the package message", name)
		}
	}
}

// Read off the table as text, apart from what the generator makes of it.
func TestEveryRequestIsACall(t *testing.T) {
	text, err := os.ReadFile("../../../calls_generated.go")
	if err != nil {
		t.Fatal(err)
	}
	requests := 0
	for line := range strings.Lines(enumsTable) {
		if !strings.Contains(line, "PayloadType") || !strings.HasSuffix(strings.TrimSpace(line), "_REQ") {
			continue
		}
		requests++
		id := strings.Split(line, "\t")[1]
		if strings.Count(string(text), "("+id+")") != 2 {
			t.Errorf("request %s is not a call of a Conn and one of a Client", id)
		}
	}
	for _, receiver := range []string{"*Conn", "*Client"} {
		if calls := strings.Count(string(text), "\nfunc (c "+receiver+") "); calls != requests || requests == 0 {
			t.Errorf("%d calls of %s for %d requests", calls, receiver, requests)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"ctidTraderAccountId": "CtidTraderAccountID", "ctidTraderAccountIds": "CtidTraderAccountIDs", "utcLastUpdateTimestamp": "UTCLastUpdateTimestamp",
		"skipSWAPPeriods": "SkipSWAPPeriods", "grossUnrealizedPnL": "GrossUnrealizedPnL", "pnlConversionFee": "PnLConversionFee",
		"slDistance": "SLDistance", "swapRollover3Days": "SwapRollover3Days", "baseToUsdConversionRate": "BaseToUSDConversionRate",
		"AmendPositionSLTPReq": "AmendPositionSLTPReq", "TrailingSLChangedEvent": "TrailingSLChangedEvent", "SymbolByIdReq": "SymbolByIDReq",
		"GetPositionUnrealizedPnLReq": "GetPositionUnrealizedPnLReq", "GetDynamicLeverageByIDRes": "GetDynamicLeverageByIDRes", "id": "ID",
	} {
		if got := goName(name); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
}

func TestTablesThatCannotBe(t *testing.T) {
	const head = "message\tnumber\tlabel\ttype\tname\tdefault\tunit\nProtoMessage\t1\trequired\tuint32\tpayloadType\t\t\n"
	for line, complain := range map[string]string{
		"ProtoOAX\t1\trequired":                                                   "line 3 has 3 columns",
		"ProtoOAX\tone\trequired\tint64\ta\t\t":                                   "line 3",
		"ProtoOAX\t64\trequired\tint64\ta\t\t":                                    "number 64",
		"ProtoOAX\t2\trequired\tint128\ta\t\t":                                    "unknown type int128",
		"ProtoOAX\t2\trepeated\tdouble\ta\t\t":                                    "a list of double",
		"ProtoOAX\t2\toptional\tProtoOAPayloadType\tpayloadType\tPROTO_MESSAGE\t": "ProtoMessage and ProtoOAX have the payload type 5",
		"ProtoOAX\t2\toptional\tProtoOAX\ta\t\t":                                  "ProtoOAX contains itself",
		"ProtoOAX\t1\toptional\tProtoOAPayloadType\tpayloadType\tNONE\t":          "unknown payload type NONE",
	} {
		_, err := generate(head+line+"\n", "enum\tvalue\tname\nProtoPayloadType\t5\tPROTO_MESSAGE\nProtoOAPayloadType\t2100\tPROTO_OA_X_REQ\n")
		if err == nil || !strings.Contains(err.Error(), complain) {
			t.Errorf("%q: %v, not %s", line, err, complain)
		}
	}
}
