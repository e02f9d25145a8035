package store_test

import (
	"testing"

	"pulih/internal/store"
	"pulih/internal/store/storetest"
)

func TestAConnectionThatNobodyGivesBackDoesNotHoldTheEnd(t *testing.T) {
	t.Parallel()
	keys, err := store.OpenKeys(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), storetest.New(t), keys)
	if err != nil {
		t.Fatal(err)
	}
	held, err := s.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	s.Close() // returns, or the test's own limit ends it
}
