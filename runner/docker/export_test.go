package docker

import "time"

// SetPullPause shortens the pauses between attempts.
func (e *Engine) SetPullPause(d time.Duration) { e.pause = d }
