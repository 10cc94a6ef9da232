package browser

// Done is closed when Chrome is gone: closed here, by its user, or by itself.
func (b *Browser) Done() <-chan struct{} { return b.life.Done() }
