package advice

import "strings"

// IDs are the checks that this package speaks of.
func IDs() []string {
	var ids []string
	for id := range ofKindly {
		if strings.Contains(id, "-") {
			ids = append(ids, id)
		}
	}
	return ids
}
