package wire

import (
	"net/netip"
	"net/url"
	"strings"
)

// IsLoopback says whether a URL names this machine: nobody else can call it.
func IsLoopback(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && LoopbackHost(u.Hostname())
}

// LoopbackHost says whether a host is this machine, by its name or address.
func LoopbackHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.Unmap().IsLoopback() || ip.IsUnspecified())
}
