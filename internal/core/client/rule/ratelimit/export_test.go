package ratelimit

// Remembered is how many clients a limiter has in memory.
func Remembered(l *Limiter) int { return l.size() }
