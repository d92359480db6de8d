// Package nearest guesses what was meant by a word that is not known.
package nearest

// Word returns the one of known that is closest to given, the first of several, or "" if none is close: at most one slip of
// the finger, or one for every four letters.
func Word(given string, known []string) string {
	best, least := "", 1+max(1, len(given)/4)
	for _, word := range known {
		if d := distance(given, word); d < least {
			best, least = word, d
		}
	}
	return best
}

// distance returns how many letters must be changed, added, taken away or
// swapped with the next to make b of a (optimal string alignment).
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
