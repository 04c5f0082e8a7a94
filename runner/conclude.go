package runner

import (
	"context"
	"encoding/json"
	"fmt"
)

// endRecord is the ID of an OpEnd: how the step ended, and what its log is told
// of that. A Run that finds it stands by it. To find out once more might bring
// something else, such as an image that can be had by now, beside a log that says
// that it cannot.
type endRecord struct {
	Result StepResult `json:"result"`
	Words  string     `json:"words"`
}

// conclude ends the step, whose output is complete, and tells its log the words,
// if there are any.
func (x *execution) conclude(res StepResult, words string) (StepResult, error) {
	if words == "" {
		return res, nil
	}
	r, s := x.run, x.step
	if err := x.sink.flush(); err != nil { // nobody reads the container's output again
		return res, x.logFailed(err)
	}
	res.Reason = r.reason(res.Reason)
	id, err := json.Marshal(endRecord{Result: res, Words: r.mask.String(validText(words))})
	if err != nil {
		return res, r.fail(fmt.Errorf("write record of end: %w", err))
	}
	if _, err := r.do(s.op(OpEnd), func(context.Context) (string, error) { return string(id), nil }); err != nil {
		return res, err
	}
	x.sink.notice(words)
	return res, nil
}

// concluded returns the end that an earlier Run recorded, if it did, and tells
// the log what that may not have come to.
func (x *execution) concluded() (StepResult, bool, error) {
	op, _ := x.run.record(x.step.op(OpEnd))
	if !op.Done {
		return StepResult{}, false, nil
	}
	var rec endRecord
	if err := json.Unmarshal([]byte(op.ID), &rec); err != nil {
		return StepResult{}, false, x.run.fail(fmt.Errorf("read record of the end of step %s: %w", x.step.plan.Name, err))
	}
	x.sink.notice(rec.Words)
	return rec.Result, true, nil
}
