package push

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
)

// What the doubles know a sender by.
const (
	apnsKeyID = "DOUBLE0KEY"
	apnsTeam  = "DOUBLETEAM"
	project   = "honeydue-double"
	account   = "pushes@" + project + ".iam.gserviceaccount.com"
	accountID = "double"

	// Topic is the one app that pushes are for.
	Topic = "com.myhoneydue.app"
)

// Credentials are what a sender shows: a key for APNs, and a service account for FCM. They are good at every double that was
// made with them.
type Credentials struct {
	apns *ecdsa.PrivateKey
	fcm  *rsa.PrivateKey

	apnsPEM, fcmPEM string
}

// NewCredentials makes new keys, which takes a tenth of a second.
func NewCredentials() (*Credentials, error) {
	c := &Credentials{}
	var err error
	if c.apns, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make key for APNs: %w", err)
	}
	if c.fcm, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, fmt.Errorf("make key for FCM: %w", err)
	}
	if c.apnsPEM, err = encode(c.apns); err != nil {
		return nil, err
	}
	if c.fcmPEM, err = encode(c.fcm); err != nil {
		return nil, err
	}
	return c, nil
}

func encode(key any) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("encode key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// serviceAccount is the file that Google hands out, on one line.
func (c *Credentials) serviceAccount(url string) string {
	text, _ := json.Marshal(map[string]string{ // of strings alone, which always can be written
		"type": "service_account", "project_id": project, "private_key_id": accountID, "private_key": c.fcmPEM,
		"client_email": account, "token_uri": url + tokenPath,
	})
	return string(text)
}

// Environment returns the variables of a sender to this double, each on one line. The address is the one of [Double.URL].
func (d *Double) Environment() map[string]string {
	url := d.URL()
	return map[string]string{
		"APNS_URL": url, "APNS_KEY_ID": apnsKeyID, "APNS_TEAM_ID": apnsTeam, "APNS_TOPIC": Topic,
		"APNS_KEY": strings.ReplaceAll(d.credentials.apnsPEM, "\n", `\n`),
		"FCM_URL":  url, "FCM_CREDENTIALS": d.credentials.serviceAccount(url),
	}
}
