package fault_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/fault"
)

func TestOfManyProblemsTheFirstAreTold(t *testing.T) {
	var problems fault.Problems
	for range 100 {
		problems.Add("tags[0]", "Write a string.")
	}
	told := func() fault.Problems {
		list, _ := errors.AsType[fault.Problems](problems.OrNil())
		return list
	}
	if n := len(told()); n != 100 {
		t.Errorf("of 100 there are %d", n)
	}
	problems.Add("x", "There is no such field.")
	problems.Add("y", "There is no such field.")
	if list := told(); len(list) != 101 || !strings.HasPrefix(list[100].Message, "2 more") {
		t.Errorf("of 102 there are %d: %v", len(list), list[len(list)-1])
	}
	if len(problems) != 102 {
		t.Error("the problems themselves were cut")
	}
	if fault.Problems(nil).OrNil() != nil {
		t.Error("no problems are an error")
	}
}
