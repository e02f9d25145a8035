package bsre

// ReadStatusForTest reads an answer without a socket, for the fuzzer.
func ReadStatusForTest(status int, body []byte) (Status, error) {
	return readStatus(call{doing: "reading"}, answer{status: status, body: body})
}
