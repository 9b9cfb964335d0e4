package venuekey_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"testing"
)

// wall_test.go owns the wall between the command and the vault, which imports cannot
// see: strings are none, and the command may import everything.

// The command keeps flags, words and exit codes, and asks the packages for everything
// else, so that another program can ask them too. It spells no record's key, calls no
// store, knows no record, and reckons with no schedule; it may show one.
func TestTheCommandHoldsNoRecords(t *testing.T) {
	w := wall{info: &types.Info{Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}}
	checked, code := checkedCode(t, "./cmd/venuekey", w.info)
	for _, p := range checked[len(checked)-1].Imports() { // the command comes last, and these are its own view of the others
		if p.Path() == module {
			w.store = p.Scope().Lookup("Store").Type().Underlying().(*types.Interface)
		}
	}
	for _, file := range code[module+"/cmd/venuekey"] {
		ast.Inspect(file, func(node ast.Node) bool {
			if why := w.breach(node); why != "" {
				t.Error("the command " + why)
			}
			_, isImport := node.(*ast.ImportSpec)
			return !isImport
		})
	}
	if w.seen < 1000 {
		t.Errorf("only %d selections were seen", w.seen)
	}
}

type wall struct {
	info  *types.Info
	store *types.Interface
	seen  int
}

var recordKey = regexp.MustCompile("^[\"`](token|app|key|probe|budget|note|consumer)/")

// breach is what a piece of code does that is the vault's business; "" is nothing.
func (w *wall) breach(node ast.Node) string {
	switch n := node.(type) {
	case *ast.BasicLit:
		if n.Kind == token.STRING && recordKey.MatchString(n.Value) {
			return "spells the key of a record: " + n.Value
		}
	case *ast.Ident:
		if used := w.info.Uses[n]; used != nil && used.Pkg() != nil && used.Pkg().Path() == module && used.Name() == "Record" {
			return "knows records"
		}
	case *ast.SelectorExpr:
		return w.chosen(n)
	case *ast.CallExpr:
		called, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || w.info.Uses[called.Sel] == nil || w.info.Uses[called.Sel].Pkg() == nil || w.info.Uses[called.Sel].Pkg().Path() != "time" {
			return ""
		}
		for _, argument := range n.Args {
			if field := w.schedule(argument); field != "" {
				return "reckons with a schedule: time." + called.Sel.Name + " of " + field
			}
		}
	}
	return ""
}

// chosen judges a method or a field that is taken of something.
func (w *wall) chosen(n *ast.SelectorExpr) string {
	chosen := w.info.Selections[n]
	if chosen == nil {
		return ""
	}
	w.seen++
	name, receiver := chosen.Obj().Name(), chosen.Recv()
	if _, pointer := receiver.Underlying().(*types.Pointer); !pointer && !types.IsInterface(receiver) {
		receiver = types.NewPointer(receiver)
	}
	switch field := w.schedule(n.X); {
	case slices.Contains([]string{"Get", "Put", "Delete", "List", "Claim"}, name) && types.Implements(receiver, w.store):
		return "calls a store: " + chosen.String()
	case slices.Contains([]string{"Load", "Save", "Open", "Records"}, name) && types.TypeString(receiver, nil) == "*"+module+".Vault":
		return "opens records: " + chosen.String()
	case field == "SignInEnds" && name == "IsZero": // whether there is an end is shown
		return ""
	case field != "":
		return "reckons with a schedule: " + field + "." + name
	}
	return ""
}

// schedule names the field of an expression that says when something of a sign-in is
// due; "" if it is none.
func (w *wall) schedule(e ast.Expr) string {
	n, ok := e.(*ast.SelectorExpr)
	if !ok || w.info.Selections[n] == nil || !slices.Contains([]string{"NextRefresh", "SignInEnds", "LeaseUntil", "IntentAt"}, n.Sel.Name) {
		return ""
	}
	return n.Sel.Name
}
