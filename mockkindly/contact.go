package mockkindly

// A Contact is a detail of a user, and whether Kindly stores it.
type Contact struct {
	Field       string `json:"field"` // email, phone_number
	Value       string `json:"value"`
	Verified    bool   `json:"verified"`
	Stored      bool   `json:"stored"`
	StoredValue string `json:"stored_value,omitempty"`
	Why         string `json:"why"`
}

// Contacts are the address and the number of a user. Kindly shows them in any
// case, and stores them only if they are verified (documented).
func (u User) Contacts() []Contact {
	out := []Contact{}
	for _, c := range []Contact{
		{Field: "email", Value: u.Email, Verified: u.EmailVerified, StoredValue: u.StoredEmail},
		{Field: "phone_number", Value: u.Phone, Verified: u.PhoneVerified, StoredValue: u.StoredPhone},
	} {
		if c.Value == "" && c.StoredValue == "" {
			continue
		}
		claim := c.Field + "_verified"
		c.Stored = c.Value != "" && c.Value == c.StoredValue
		switch {
		case c.Value == "":
			c.Why = "The last token does not tell it; an earlier one did, verified."
		case c.Verified:
			c.Why = claim + " is true: shown and stored."
		case c.Stored:
			c.Why = "Stored since an earlier token said that it is verified; " + claim + " is not true now."
		default:
			c.Why = claim + " is not true: shown, but not stored."
		}
		out = append(out, c)
	}
	return out
}
