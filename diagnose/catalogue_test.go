package diagnose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// declared is the ids of the package-level literals of a type in this package's
// sources.
func declared(t *testing.T, typ string) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal("no sources", err)
	}
	var all []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if name, ok := lit.Type.(*ast.Ident); !ok || name.Name != typ {
				return true
			}
			for _, e := range lit.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if ok && kv.Key.(*ast.Ident).Name == "ID" {
					all = append(all, strings.Trim(kv.Value.(*ast.BasicLit).Value, `"`))
				}
			}
			return true
		})
	}
	slices.Sort(all)
	return all
}

func TestEverySignAndCauseIsListedOnce(t *testing.T) {
	var signs, causes []string
	for _, s := range All.Signs {
		signs = append(signs, s.ID)
	}
	for _, c := range append(slices.Clone(All.Causes), All.None) {
		causes = append(causes, c.ID)
	}
	slices.Sort(signs)
	slices.Sort(causes)
	if want := declared(t, "Sign"); !slices.Equal(signs, want) {
		t.Errorf("signs in the catalogue %v, declared %v", signs, want)
	}
	if want := declared(t, "Cause"); !slices.Equal(causes, want) {
		t.Errorf("causes in the catalogue %v, declared %v", causes, want)
	}
}

func TestEverySignIsWhole(t *testing.T) {
	shown := map[*Sign]bool{}
	for _, b := range All.Boxes {
		for _, s := range b.Signs {
			shown[s] = true
		}
	}
	for _, s := range All.Signs {
		if s.Title == "" || s.Doc == "" || s.Test == nil || s.On == "" || len(s.Needs)+len(s.Uses) == 0 {
			t.Errorf("sign %s lacks a title, doc, test, scope or keys", s.ID)
		}
		if !shown[s] {
			t.Errorf("sign %s is in no box of the flowchart", s.ID)
		}
	}
}

func TestEveryCauseIsWhole(t *testing.T) {
	for _, c := range All.Causes {
		decisive := false
		for _, l := range c.Signs {
			decisive = decisive || l.Decisive
			if _, ok := related(l.Sign.On, subjectIn(c.On)); !ok {
				t.Errorf("cause %s: sign %s is on a %s, which does not belong to one %s", c.ID, l.Sign.ID, l.Sign.On, c.On)
			}
		}
		if !decisive {
			t.Errorf("cause %s: no sign is decisive", c.ID)
		}
		if c.Fault == nil || c.Doc == "" || c.Prior <= 0 || c.Prior >= 0.5 || c.Severity == "" || c.InBranch() == "" {
			t.Errorf("cause %s lacks a fault, doc, prior, severity or branch", c.ID)
		}
	}
}

// subjectIn is some subject of a scope.
func subjectIn(s fact.Scope) fact.Subject {
	switch s {
	case fact.Cluster:
		return fact.TheCluster
	case fact.LogDir:
		return fact.LogDirOf(1, "/d")
	}
	return fact.Subject{Scope: s, Name: "1"}
}
