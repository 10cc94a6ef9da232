package browser

// Done is closed when Chrome is gone: closed here, by its user, or by itself.
func (b *Browser) Done() <-chan struct{} { return b.life.Done() }

// Gone is closed when the tab is: closed by its user, or with its Chrome. (Its
// page may go wherever it likes meanwhile.)
func (p *Page) Gone() <-chan struct{} { return p.session.gone }
