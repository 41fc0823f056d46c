package config

import "strings"

// nearest gives the candidate with the smallest edit distance to word. One that
// goes on where word ends counts as one edit away.
func nearest(word string, candidates []string) string {
	best, at := "", 1<<30
	for _, c := range candidates {
		d := distance(word, c)
		if strings.HasPrefix(c, word) {
			d = min(d, 1)
		}
		if d < at {
			best, at = c, d
		}
	}
	return best
}

// near reports whether word may be meant for known: one letter in three may be
// wrong.
func near(word, known string) bool { return distance(word, known) <= max(1, len(word)/3) }

// distance is Levenshtein's: how many bytes must be put in, taken out or
// replaced to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// Nearest gives the one of several words that a mistyped one is nearest to.
func Nearest(typed string, known []string) string { return nearest(typed, known) }
