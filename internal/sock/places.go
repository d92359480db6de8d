package sock

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// Places returns the IP addresses and the port that a call of target would try. network is tcp or udp, with or without a
// family.
func Places(ctx context.Context, network, target string) ([]netip.AddrPort, error) {
	hp, err := parseHostPort(ctx, network, target)
	if err != nil {
		return nil, err
	}
	hosts := loopbackFor(network) // where a call of every interface comes to, too
	if hp.kind == named {
		hosts = []string{hp.host}
	}
	family := "ip" + strings.TrimLeft(network, "tcpud")
	var places []netip.AddrPort
	for _, host := range hosts {
		ips, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
		if err != nil {
			return nil, err
		}
		for _, ip := range ips {
			places = append(places, netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(hp.port)))
		}
	}
	return places, nil
}
