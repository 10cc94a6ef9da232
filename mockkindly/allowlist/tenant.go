package allowlist

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// rented lists suffixes under which anyone can get a name, and which the
// Public Suffix List lacks or knows only in part. "*.x" means every name one
// label below x. A test drops entries once the list has them.
var rented = []string{
	// Tunnels to a developer's machine.
	"a.free.pinggy.link",
	"a.pinggy.link",
	"*.devtunnels.ms",
	"free.pinggy.link",
	"lhr.life",
	"lhr.rocks",
	"loca.lt",
	"localtunnel.me",
	"loclx.io",
	"packetriot.net",
	"pagekite.me",
	"pinggy.link",
	"pinggy.online",
	"ply.gg",
	"serveo.net",
	"serveousercontent.com",
	"share.zrok.io",
	"sharedwithexpose.com",

	// Machines and bins for developers.
	"app.github.dev",
	"beeceptor.com",
	"codesandbox.io",
	"glitch.me",
	"m.pipedream.net",
	"requestcatcher.com",
	"surge.sh",
	"webcontainer.io",
	"webhook.site",
	"*.gitpod.io",

	// Names for any IP address.
	"nip.io",
	"sslip.io",

	// Clouds whose suffixes lie deeper than what people write.
	"*.azurecontainerapps.io",
	"amazonaws.com",
	"app.n8n.cloud",
	"koyeb.app",
	"on.aws",
}

var rentedSuffixes = func() map[string]bool {
	m := make(map[string]bool, len(rented))
	for _, s := range rented {
		m[s] = true
	}
	return m
}()

// SharedTenant returns the suffix under which strangers can rent names that
// the pattern covers: ngrok.app for *.ngrok.app. It is empty for a pattern
// that covers one owner's hosts only.
func (p Pattern) SharedTenant() string {
	if !p.wildcard {
		return ""
	}
	if suffix, _ := isPublicSuffix(p.host); suffix {
		return p.host // ParsePattern has refused the ICANN ones
	}
	_, parent, _ := strings.Cut(p.host, ".")
	if rentedSuffixes[p.host] || rentedSuffixes["*."+p.host] || rentedSuffixes["*."+parent] {
		return p.host
	}
	for _, s := range rented {
		if s = strings.TrimPrefix(s, "*."); below(s, p.host) {
			return s
		}
	}
	return ""
}

// sharedBy is SharedTenant for one host: a pattern such as *.example.net covers
// the tenants of every suffix below example.net, and a host gives one away.
func (p Pattern) sharedBy(host string) string {
	if s := p.SharedTenant(); s != "" || !p.wildcard {
		return s
	}
	if s, _ := publicsuffix.PublicSuffix(host); below(s, p.host) {
		return s
	}
	return ""
}

// isPublicSuffix is true for a suffix of the Public Suffix List, and for a name
// all of whose children are one (kobe.jp: the list has *.kobe.jp). icann is true
// for those of registries; the rest is of companies that rent out names.
func isPublicSuffix(host string) (yes, icann bool) {
	if s, icann := publicsuffix.PublicSuffix(host); s == host {
		// The list's default rule takes an unknown last label for a suffix.
		return true, icann || !strings.Contains(host, ".")
	}
	const child = "kindlytest-any-child."
	s, icann := publicsuffix.PublicSuffix(child + host)
	return s == child+host, icann
}

// broad is true for a wildcard over a registry's suffix or over everything,
// also where it is spelled in a way that is invalid anyhow.
func broad(s string) bool {
	if !strings.HasPrefix(s, "*") || len(s) > 4*maxHost {
		return false
	}
	rest := strings.TrimSuffix(strings.TrimLeft(s, "*."), ".")
	if rest == "" {
		return true
	}
	host, err := canonicalHost(rest)
	if err != nil || isLocal(host) || endsInNumber(host) {
		return false
	}
	yes, icann := isPublicSuffix(host)
	return yes && icann
}
