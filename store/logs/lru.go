package logs

import (
	"container/list"
	"sync"
)

// An lru keeps the values that were used last, up to a total cost. Its methods
// may be called concurrently.
type lru[K comparable, V any] struct {
	budget int64
	cost   func(V) int64

	mu    sync.Mutex // guards what follows
	items map[K]*list.Element
	order *list.List // of *lruItem[K, V], the last used first
	total int64
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](budget int64, cost func(V) int64) *lru[K, V] {
	return &lru[K, V]{budget: budget, cost: cost, items: map[K]*list.Element{}, order: list.New()}
}

func (c *lru[K, V]) get(key K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruItem[K, V]).value, true
}

func (c *lru[K, V]) put(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.drop(e)
	}
	c.items[key] = c.order.PushFront(&lruItem[K, V]{key, v})
	c.total += c.cost(v)
	for c.total > c.budget {
		c.drop(c.order.Back())
	}
}

// removeFunc removes the values whose keys match.
func (c *lru[K, V]) removeFunc(match func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.items {
		if match(key) {
			c.drop(e)
		}
	}
}

func (c *lru[K, V]) drop(e *list.Element) {
	item := c.order.Remove(e).(*lruItem[K, V])
	delete(c.items, item.key)
	c.total -= c.cost(item.value)
}
