package bsre

// ReadStatusForTest, JudgeForTest and ReadDetailsForTest read an answer without a socket, for the fuzzers.
func ReadStatusForTest(status int, body []byte) (Status, error) {
	return readStatus(call{doing: "reading"}, answer{status: status, body: body})
}

func JudgeForTest(status int, challenge bool, body []byte) Outcome {
	return judge(answer{status: status, body: body}, challenge)
}

func ReadDetailsForTest(body []byte) (Details, error) {
	return readDetails(call{doing: "reading"}, answer{status: 200, body: body}, "u-1", WIB)
}
