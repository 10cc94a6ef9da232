package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A load is one request, sent again and again over 16 connections.
type load struct {
	address string
	request []byte
}

const connections = 16

func newLoad(address, path, body string) load {
	return load{address, fmt.Appendf(nil,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, address, len(body), body)}
}

// send sends n requests and returns how long each one took, in order of time,
// and all of them together. It does as little as it can itself, to leave the
// machine to the server.
func (l load) send(ctx context.Context, n int) (each []time.Duration, all time.Duration, err error) {
	var (
		group sync.WaitGroup
		times [connections][]time.Duration
		errs  [connections]error
	)
	start := time.Now()
	for i := range connections {
		group.Go(func() { times[i], errs[i] = l.converse(ctx, n/connections) })
	}
	group.Wait()
	all = time.Since(start)
	for i := range connections {
		if errs[i] != nil {
			return nil, 0, errs[i]
		}
		each = append(each, times[i]...)
	}
	slices.Sort(each)
	return each, all, nil
}

// converse sends n requests over one connection.
func (l load) converse(ctx context.Context, n int) ([]time.Duration, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		if _, err := c.Write(l.request); err != nil {
			return nil, err
		}
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s answers %s", l.address, res.Status)
		}
		times[i] = time.Since(start)
	}
	return times, nil
}

// A pace is what a server did under load.
type pace struct {
	perSecond float64
	p99       float64 // ms
}

// race lets servers take turns under the same load, and returns the medians.
func race(ctx context.Context, turns int, loads ...load) ([]pace, error) {
	const requests = 4000
	p99 := make([][]float64, len(loads))
	var all []contestant
	for i, l := range loads {
		all = append(all, func(ctx context.Context) (float64, error) {
			each, took, err := l.send(ctx, requests)
			if err != nil {
				return 0, err
			}
			p99[i] = append(p99[i], milliseconds(each[len(each)*99/100]))
			return float64(len(each)) / took.Seconds(), nil
		})
	}
	rates, err := takeTurns(ctx, turns, all...)
	if err != nil {
		return nil, err
	}
	paces := make([]pace, len(loads))
	for i := range loads {
		paces[i] = pace{rates[i], median(p99[i])}
	}
	return paces, nil
}
