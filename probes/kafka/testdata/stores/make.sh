#!/bin/sh
# Makes the stores of this directory anew, with keytool (JDK 17) and openssl 3.
# Every password is in its file's test; the certificates are valid for a century.
set -e
cd "$(dirname "$0")"
rm -f ./*.pem ./*.jks ./*.p12
days=36500
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj '/CN=stores authority' -keyout ca.key -out ca.pem 2>/dev/null
sign() { # name, extension
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf '%s\n' "$2" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days $days -extfile "$1.ext" -out "$1.crt" 2>/dev/null
	cat "$1.crt" "$1.key" >"$1.pem"
}
sign broker 'subjectAltName=IP:127.0.0.1'
sign client 'extendedKeyUsage=clientAuth'
# trust stores: keytool as JKS and as PKCS12, openssl 3.2 would need -jdktrust
keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.jks -storetype JKS -storepass trust-word 2>/dev/null
keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storetype PKCS12 -storepass trust-word 2>/dev/null
# key stores: from openssl, and by keytool with the authority beside the key and a password of its own
openssl pkcs12 -export -in client.crt -inkey client.key -certfile ca.pem -name client -passout pass:store-word -out key.p12
keytool -importkeystore -noprompt -srckeystore key.p12 -srcstoretype PKCS12 -srcstorepass store-word -alias client -destkeystore key.jks -deststoretype JKS -deststorepass store-word -destkeypass key-word 2>/dev/null
keytool -importcert -noprompt -alias ca -file ca.pem -keystore key.jks -storetype JKS -storepass store-word 2>/dev/null
cp key.p12 both.p12
keytool -importcert -noprompt -alias aaa -file ca.pem -keystore both.p12 -storetype PKCS12 -storepass store-word 2>/dev/null
# encrypted PEM keys: by PBES2 with AES, with DES-EDE3, and in OpenSSL's old way
openssl pkcs8 -topk8 -v2 aes256 -v2prf hmacWithSHA256 -in client.key -passout pass:key-word -out aes.key
openssl pkcs8 -topk8 -v2 des3 -in client.key -passout pass:key-word -out des3.key
openssl rsa -aes128 -traditional -in client.key -passout pass:key-word -out old.key 2>/dev/null
for k in aes des3 old; do cat client.crt $k.key >client-$k.pem; done
rm -f ./*.key ./*.csr ./*.ext ./*.crt ./*.srl
