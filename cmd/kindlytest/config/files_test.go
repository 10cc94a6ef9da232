package config_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"sync"
	"time"
)

// files are what a file may refer to, made anew for each run of the tests.
var files = sync.OnceValue(func() map[string][]byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	encode := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	return map[string][]byte{
		"private.pem": encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
		"public.pem":  encode("PUBLIC KEY", public),
		"ca.pem":      encode("CERTIFICATE", cert),
		"seen.json":   []byte(`{"version": 1, "deliveries": 3}`),
		"nobody.json": []byte(`{"cookies":[],"origins":[]}`),
		"grace.json": []byte(`{
			"cookies":[{"name":"sid","value":"grace-sid","domain":".example.com","path":"/","expires":1999999999,"httpOnly":true,"secure":false,"sameSite":"None"}],
			"origins":[{"origin":"https://app.example.com","localStorage":[{"name":"jwt","value":"grace-jwt"}]},
				{"origin":"https://login.example.com","localStorage":[{"name":"device","value":"d"}],"indexedDB":[{"name":"keys"}]}]}`),
	}
})
