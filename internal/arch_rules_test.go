package internal_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// under reports whether a package path is prefix or below it.
func under(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }

func underAny(p string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return under(p, prefix) })
}

// layerOf gives the layer with the longest matching prefix, "" where none does.
func layerOf(dir string) string {
	longest := ""
	for layer := range layers {
		if under(dir, layer) && len(layer) > len(longest) {
			longest = layer
		}
	}
	return longest
}

// goFiles gives the Go files of the product's module.
func goFiles(tree []*file) []*file {
	return slices.DeleteFunc(slices.Clone(tree), func(f *file) bool {
		return f.syntax == nil || under(f.dir, "tools")
	})
}

func importsOf(f *file) []string {
	paths := make([]string, 0, len(f.syntax.Imports))
	for _, spec := range f.syntax.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

func checkImports(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		layer := layerOf(f.dir)
		if layer == "" && f.dir != "internal" {
			broken = append(broken, f.path+": this package is in no layer; enter it in the picture, or move it")
			continue
		}
		for _, p := range importsOf(f) {
			dir, ours := strings.CutPrefix(p, module)
			if ours && (!mayImport(f, layer, dir) || product(f) && underAny(dir, harness)) {
				broken = append(broken, fmt.Sprintf("%s: %s must not import %s", f.path, f.dir, dir))
			}
		}
	}
	return broken
}

func mayImport(f *file, layer, dir string) bool {
	switch {
	case f.test && (under(dir, f.dir) || underAny(dir, testLayers)):
		return true
	case layer == "internal/endpoint" && layerOf(dir) == layer:
		// Surfaces do not know one another; those of the protocol share its parent.
		return dir == path.Dir(f.dir) && dir != "internal/endpoint"
	default:
		return under(dir, layer) || underAny(dir, layers[layer])
	}
}

// product reports whether a file is part of the program.
func product(f *file) bool {
	return !f.test && (under(f.dir, "internal") || under(f.dir, "cmd")) && !underAny(f.dir, harness)
}

func checkConfined(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		if !product(f) {
			continue
		}
		for _, p := range importsOf(f) {
			for library, homes := range confined {
				if under(p, library) && !underAny(f.dir, homes) {
					broken = append(broken, fmt.Sprintf("%s: %s is for %s only", f.path, p, strings.Join(append(homes, "tests"), ", ")))
				}
			}
		}
	}
	return broken
}

// uses gives the positions at which a file names one of a package's functions.
func uses(f *file, importPath string, names ...string) (at []string) {
	local := ""
	for _, spec := range f.syntax.Imports {
		if spec.Path.Value == strconv.Quote(importPath) {
			local = path.Base(importPath)
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	if local == "" {
		return nil
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, s.Sel.Name) {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
				at = append(at, fmt.Sprintf("%s: %s.%s", f.positions.Position(s.Pos()), local, s.Sel.Name))
			}
		}
		return true
	})
	return at
}

func checkClock(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		if !f.test && under(f.dir, "internal/core") {
			for _, use := range uses(f, "time", "Now", "Since", "Until") {
				broken = append(broken, use+": the core is given its clock (now func() time.Time)")
			}
		}
	}
	return broken
}

func checkEnvironment(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		if product(f) && f.dir != "internal/config" {
			for _, use := range uses(f, "os", "Getenv", "LookupEnv", "Environ", "ExpandEnv") {
				broken = append(broken, use+": only internal/config reads the environment")
			}
		}
	}
	return broken
}

// checkPackageComments wants "Package x …" or "Command x …" in one file of each
// package; the comment of a directory with nothing but tests may be in any.
func checkPackageComments(tree []*file) (broken []string) {
	commented := map[string]bool{}
	for _, f := range goFiles(tree) {
		commented[f.dir] = commented[f.dir] || strings.HasPrefix(f.syntax.Doc.Text(), "Package "+f.syntax.Name.Name+" ") ||
			f.syntax.Name.Name == "main" && strings.HasPrefix(f.syntax.Doc.Text(), "Command ")
	}
	for _, dir := range slices.Sorted(maps.Keys(commented)) {
		if !commented[dir] {
			broken = append(broken, dir+": no package comment that says what the package owns and what it does not")
		}
	}
	return broken
}

var emptyName = regexp.MustCompile(`^(utils?|commons?|helpers?|managers?|base|models?|types|misc|shared|lib)$`)

func checkPackageNames(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		for _, name := range append(strings.Split(f.dir, "/"), strings.TrimSuffix(f.syntax.Name.Name, "_test")) {
			if emptyName.MatchString(name) {
				broken = append(broken, f.path+": the name "+name+" says nothing of what is in it")
			}
		}
	}
	return broken
}

const (
	maxFileLines     = 500
	maxFunctionLines = 80
)

func checkLengths(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		if f.generated {
			continue
		}
		if n := bytes.Count(f.text, []byte("\n")); n > maxFileLines {
			broken = append(broken, fmt.Sprintf("%s: %d lines; at most %d", f.path, n, maxFileLines))
		}
		for _, d := range f.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := f.positions.Position(fn.Pos()), f.positions.Position(fn.End())
			if n := last.Line - first.Line + 1; n > maxFunctionLines {
				broken = append(broken, fmt.Sprintf("%s: %s has %d lines; at most %d", first, fn.Name.Name, n, maxFunctionLines))
			}
		}
	}
	return broken
}

// maxInterfaces is two for a thousand lines.
func maxInterfaces(lines int) int { return (2*lines + 999) / 1000 }

func checkInterfaces(tree []*file) (broken []string) {
	lines := 0
	var found []string
	for _, f := range goFiles(tree) {
		if f.test || f.generated || !under(f.dir, "internal") {
			continue
		}
		lines += bytes.Count(f.text, []byte("\n"))
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if _, ok := spec.Type.(*ast.InterfaceType); ok {
					found = append(found, f.dir+"."+spec.Name.Name)
				}
			}
			return true
		})
	}
	if most := maxInterfaces(lines); len(found) > most {
		broken = append(broken, fmt.Sprintf("%d interfaces in %d lines; at most %d: %s", len(found), lines, most, strings.Join(found, ", ")))
	}
	return broken
}

func checkFuzz(tree []*file) (broken []string) {
	for _, dir := range parsers {
		fuzzed := slices.ContainsFunc(goFiles(tree), func(f *file) bool {
			return f.test && f.dir == dir && slices.ContainsFunc(f.syntax.Decls, func(d ast.Decl) bool {
				fn, ok := d.(*ast.FuncDecl)
				return ok && strings.HasPrefix(fn.Name.Name, "Fuzz")
			})
		})
		if !fuzzed {
			broken = append(broken, dir+": reads what strangers send, and has no fuzz target")
		}
	}
	return broken
}

func checkInit(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				broken = append(broken, f.path+": an init function; wire it in internal/app, where it can be read")
			}
		}
	}
	return broken
}

var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX|HA` + `CK)\b`)

func checkFinished(tree []*file) (broken []string) {
	for _, f := range goFiles(tree) {
		for _, group := range f.syntax.Comments {
			if word := unfinished.FindString(group.Text()); word != "" {
				broken = append(broken, fmt.Sprintf("%s: %s", f.positions.Position(group.Pos()), word))
			}
		}
	}
	return broken
}

// foreign are words that mean something in one workplace only: paths of a
// machine, hosts of package registries, numbers of a tracker. They are put
// together here so that this file does not hold them.
var foreign = regexp.MustCompile(strings.Join([]string{
	`/wo` + `rk/`, `/ro` + `ot/`, `/ho` + `me/[a-z]`,
	`proxy\.gol` + `ang\.org`, `sum\.gol` + `ang\.org`, `registry\.np` + `mjs\.org`, `deb\.deb` + `ian\.org`, `py` + `pi\.org`,
	`(?i:\biss` + `ue #?[0-9]+\b)`, `(?i:\b(fix(es)?|clos(es)?|see) #[0-9]+\b)`, `\(#[0-9]+\)`,
}, "|"))

func checkWords(tree []*file) (broken []string) {
	for _, f := range tree {
		for number, line := range bytes.Split(f.text, []byte("\n")) {
			if word := foreign.Find(line); word != nil {
				broken = append(broken, fmt.Sprintf("%s:%d: %q means nothing to a reader elsewhere", f.path, number+1, word))
			}
		}
	}
	return broken
}
