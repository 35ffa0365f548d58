package push

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
)

// claims are those of a JSON Web Token (RFC 7519) and of its header that a provider looks at.
type claims struct {
	Alg   string `json:"alg"`
	KeyID string `json:"kid"`

	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Scope    string `json:"scope"`
	IssuedAt int64  `json:"iat"` // seconds since 1970, as Expires
	Expires  int64  `json:"exp"`
}

// readToken returns what a token says, if alg is how it is signed and verify agrees with the signature of the hash.
func readToken(token, alg string, verify func(hash, signature []byte) bool) (claims, bool) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	for _, part := range parts[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || json.Unmarshal(text, &c) != nil {
			return c, false
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	hash := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return c, err == nil && c.Alg == alg && verify(hash[:], signature)
}

// byES256 checks a signature as RFC 7518 §3.4 writes it: both numbers in 32 bytes each.
func (c *Credentials) byES256(hash, signature []byte) bool {
	return len(signature) == 64 &&
		ecdsa.Verify(&c.apns.PublicKey, hash, new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

func (c *Credentials) byRS256(hash, signature []byte) bool {
	return rsa.VerifyPKCS1v15(&c.fcm.PublicKey, crypto.SHA256, hash, signature) == nil
}
