package message_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// peer is the protocol in the official library, built from the same tables. It shares no code
// with ours.
var peer = sync.OnceValue(func() protoreflect.FileDescriptor {
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("peer.proto"), Syntax: proto.String("proto2")}
	enums := map[string]*descriptorpb.EnumDescriptorProto{}
	for _, row := range table("enums.tsv") {
		e := enums[row[0]]
		if e == nil {
			e = &descriptorpb.EnumDescriptorProto{Name: &row[0]}
			enums[row[0]] = e
			file.EnumType = append(file.EnumType, e)
		}
		number, _ := strconv.Atoi(row[1])
		e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: &row[2], Number: proto.Int32(int32(number))})
	}
	var m *descriptorpb.DescriptorProto
	for _, row := range table("messages.tsv") {
		if m.GetName() != row[0] {
			m = &descriptorpb.DescriptorProto{Name: &row[0]}
			file.MessageType = append(file.MessageType, m)
		}
		number, _ := strconv.Atoi(row[1])
		field := &descriptorpb.FieldDescriptorProto{
			Name: &row[4], JsonName: &row[4], Number: proto.Int32(int32(number)),
			Label: descriptorpb.FieldDescriptorProto_Label(descriptorpb.FieldDescriptorProto_Label_value["LABEL_"+strings.ToUpper(row[2])]).Enum(),
		}
		if kind, scalar := descriptorpb.FieldDescriptorProto_Type_value["TYPE_"+strings.ToUpper(row[3])]; scalar {
			field.Type = descriptorpb.FieldDescriptorProto_Type(kind).Enum()
		} else {
			field.TypeName = proto.String("." + row[3])
			field.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
			if enums[row[3]] != nil {
				field.Type = descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum()
			}
		}
		m.Field = append(m.Field, field)
	}
	descriptor, err := protodesc.NewFile(file, nil)
	if err != nil {
		panic(err)
	}
	return descriptor
})

func table(name string) [][]string {
	text, err := os.ReadFile("internal/generate/" + name)
	if err != nil {
		panic(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		rows = append(rows, strings.Split(strings.TrimRight(line, "\n"), "\t"))
	}
	return rows[1:]
}

func peerOf(t message.PayloadType) *dynamicpb.Message {
	return dynamicpb.NewMessage(peer().Messages().ByName(protoreflect.Name(message.Name(t))))
}

// messages yields every type that has a message.
func messages(yield func(message.PayloadType) bool) {
	for _, t := range message.All() {
		if t != message.TypeMessage && !yield(t) {
			return
		}
	}
}

const seeds = 12

func TestThePeerReadsWhatWeWrite(t *testing.T) {
	for kind := range messages {
		for seed := range uint64(seeds) {
			m := filled(kind, seed)
			ours, err := m.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			theirs := peerOf(kind)
			if err := proto.Unmarshal(ours, theirs); err != nil {
				t.Fatalf("%v: the peer refuses: %v", kind, err)
			}
			if len(theirs.GetUnknown()) > 0 {
				t.Errorf("%v: the peer does not know some fields", kind)
			}
			again, err := proto.MarshalOptions{Deterministic: true}.Marshal(theirs)
			if err != nil || !bytes.Equal(ours, again) {
				t.Errorf("%v: ours % x, the peer's % x, %v", kind, ours, again, err)
			}
			text, err := m.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			fromText := peerOf(kind)
			if err := protojson.Unmarshal(text, fromText); err != nil {
				t.Fatalf("%v: the peer refuses %s: %v", kind, text, err)
			}
			if !proto.Equal(theirs, fromText) {
				t.Errorf("%v: the peer reads %s as something else", kind, text)
			}
		}
	}
}

// The peer writes 64-bit numbers as strings and enums as names.
func TestWeReadWhatThePeerWrites(t *testing.T) {
	for kind := range messages {
		for seed := range uint64(seeds) {
			want, _ := filled(kind, seed).AppendBinary(nil)
			theirs := peerOf(kind)
			if err := proto.Unmarshal(want, theirs); err != nil {
				t.Fatal(err)
			}
			text, err := protojson.Marshal(theirs)
			if err != nil {
				t.Fatal(err)
			}
			m, err := message.StrictJSON(kind, text)
			if err != nil {
				t.Fatalf("%v: %s: %v", kind, text, err)
			}
			if got, err := m.AppendBinary(nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %s became % x, not % x: %v", kind, text, got, want, err)
			}
		}
	}
}

// agree decodes the same bytes with both, and encodes the results with both.
func agree(t *testing.T, kind message.PayloadType, payload []byte) {
	t.Helper()
	theirs := peerOf(kind)
	refused := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(payload, theirs)
	m, err := message.Decode(kind, payload)
	if (err == nil) != (refused == nil) {
		t.Fatalf("%v: % x: we say %v, the peer %v", kind, payload, err, refused)
	}
	if err != nil {
		return
	}
	ours, err := m.AppendBinary(nil)
	if err != nil {
		return // a required enum of 0, which we read and do not write
	}
	if d := theirs.Descriptor().Fields().ByName("payloadType"); d != nil {
		theirs.Clear(d)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(theirs)
	if err != nil || !bytes.Equal(ours, again) {
		t.Fatalf("%v: % x: we read % x, the peer % x, %v", kind, payload, ours, again, err)
	}
}

func TestBothTakeAndRefuseTheSameBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for kind := range messages {
		whole, _ := filled(kind, 0).AppendBinary(nil)
		agree(t, kind, append(whole, whole...)) // merged
		for range 60 {
			broken := bytes.Clone(whole)
			if len(broken) == 0 {
				break
			}
			for range 1 + random.IntN(3) {
				broken[random.IntN(len(broken))] = byte(random.Uint32())
			}
			agree(t, kind, broken)
			agree(t, kind, broken[:random.IntN(len(broken))])
		}
	}
}
