package letter

import "sort"

// fitColumns places the heading's columns on a page: cells that overlap on it are a column; headings and data are matched by overlap, and
// where the counts agree, by order.
func (s *sheet) fitColumns(rows []int, page int, heads, heading []tableColumn) []tableColumn {
	var clusters []tableColumn
	add := func(at, end int) {
		for k := range clusters {
			if at < clusters[k].end && clusters[k].at < end {
				clusters[k].at, clusters[k].end = min(clusters[k].at, at), max(clusters[k].end, end)
				return
			}
		}
		clusters = append(clusters, tableColumn{at: at, end: end})
	}
	for _, i := range rows {
		if s.lines[i].page == page {
			for _, c := range s.cells[i] {
				add(c.at, c.end)
			}
		}
	}
	for _, h := range heads {
		add(h.at, h.end)
	}
	clusters = mergeOverlaps(clusters)
	if heads == nil {
		if len(clusters) == len(heading) {
			for k := range clusters {
				clusters[k].field = heading[k].field
			}
			return clusters
		}
		heads = heading
	}
	taken := map[int]int{}
	for k := range clusters {
		for _, h := range heads {
			if h.at < clusters[k].end && clusters[k].at < h.end {
				taken[k]++
				clusters[k].field = h.field
			}
		}
		if taken[k] > 1 {
			return midpoints(heads) // columns run together: go by the headings alone
		}
		if clusters[k].field == "" {
			clusters[k].field = fieldSkip
		}
	}
	return clusters
}

func mergeOverlaps(c []tableColumn) []tableColumn {
	sort.Slice(c, func(a, b int) bool { return c[a].at < c[b].at })
	var out []tableColumn
	for _, x := range c {
		if n := len(out); n > 0 && x.at < out[n-1].end {
			out[n-1].end = max(out[n-1].end, x.end)
			continue
		}
		out = append(out, x)
	}
	return out
}

// midpoints stretches headings until they touch.
func midpoints(heads []tableColumn) []tableColumn {
	out := append([]tableColumn(nil), heads...)
	for k := range out {
		if k > 0 {
			out[k].at = heads[k].at - 1
			out[k-1].end = out[k].at
		}
	}
	if len(out) > 0 {
		out[0].at = 0
		out[len(out)-1].end += 200
	}
	return out
}

// columnIndex is the column that overlaps the cell most, or else lies nearest.
func columnIndex(cols []tableColumn, c cell) int {
	best, score := 0, -1<<30
	for k, col := range cols {
		overlap := min(c.end, col.end) - max(c.at, col.at)
		if overlap > score {
			best, score = k, overlap
		}
	}
	return best
}
