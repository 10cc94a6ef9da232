package reports

import "github.com/fatih/color"

// A paint colours text, or leaves it as it is.
type paint func(a ...any) string

// A palette is the colours of one printer. They are set one by one, never by
// the package-wide switch: a program may print one thing with colours and
// another without.
type palette struct {
	good, bad, warn, dim, bold paint
}

func (t *Terminal) palette() palette {
	style := func(attributes ...color.Attribute) paint {
		c := color.New(attributes...)
		if t.Color {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.Sprint
	}
	return palette{
		good: style(color.FgGreen),
		bad:  style(color.FgRed, color.Bold),
		warn: style(color.FgYellow),
		dim:  style(color.Faint),
		bold: style(color.Bold),
	}
}

// of is the colour of an outcome.
func (p palette) of(o Outcome) paint {
	switch o {
	case Passed:
		return p.good
	case Failed:
		return p.bad
	case Errored, Warned, Expected:
		return p.warn
	}
	return p.dim
}

// symbol is the sign of an outcome, one cell wide.
func symbol(o Outcome) string {
	switch o {
	case Passed:
		return "✔"
	case Failed:
		return "✘"
	case Errored:
		return "?"
	case Warned:
		return "!"
	case Expected:
		return "~"
	case Informed:
		return "i"
	}
	return "-"
}
