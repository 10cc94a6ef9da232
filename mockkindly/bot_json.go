package mockkindly

import (
	"slices"

	"github.com/kindlytest/kindlytest/internal/redact"
)

// MarshalJSON shows the keys by their fingerprints.
func (b Bot) MarshalJSON() ([]byte, error) {
	type key struct {
		Name        string   `json:"name"`
		Fingerprint string   `json:"fingerprint"`
		Format      string   `json:"format"`
		Notes       []string `json:"notes,omitempty"`
	}
	v := struct {
		Key            string         `json:"key"`
		ID             int            `json:"id"`
		OrganizationID int            `json:"organization_id"`
		PublicKeys     []key          `json:"public_keys"`
		Webhooks       []Webhook      `json:"webhooks"`
		Dialogues      []dialogueJSON `json:"dialogues"`
	}{b.Key, b.ID, b.OrganizationID, []key{}, slices.Concat([]Webhook{}, b.Webhooks), dialoguesJSON(b.Dialogues)}
	for _, k := range b.PublicKeys {
		v.PublicKeys = append(v.PublicKeys, key{k.Name, k.Fingerprint, k.Format, k.Notes})
	}
	return redact.JSON(v)
}

// MarshalJSON says whether there is a secret, not which.
func (w Webhook) MarshalJSON() ([]byte, error) {
	return redact.JSON(struct {
		Name      string `json:"name"`
		URL       string `json:"url"`
		ConnectTo string `json:"connect_to,omitempty"`
		Signed    bool   `json:"signed"`
	}{w.label(), redact.URL(w.URL), redact.URL(w.ConnectTo), w.Secret != ""})
}

type dialogueJSON struct {
	Slug     string   `json:"slug"`
	Phrases  []string `json:"phrases,omitempty"`
	Webhook  string   `json:"webhook,omitempty"`
	Fallback bool     `json:"fallback,omitempty"`
}

func dialoguesJSON(ds []Dialogue) []dialogueJSON {
	out := make([]dialogueJSON, len(ds))
	for i, d := range ds {
		out[i] = dialogueJSON{d.label(), d.Phrases, d.Webhook, d.Fallback}
	}
	return out
}
