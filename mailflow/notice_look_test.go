package mailflow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Mails as a phone and a desktop show them, in Chromium: nothing wider than the window, whatever the names, and dark where the reader has
// it dark. `go test ./mailflow -run NoticeLook -artifacts -outputdir DIR` keeps the pictures.
func TestNoticeLook(t *testing.T) {
	t.Parallel()
	var mails []noticeMail
	for _, m := range noticeFilled(t, "Prof. Dr. Contohwijayakusumaningratdiningratsewandanawatimisalnyahadiningrat, S.Kom., M.M.") {
		if n := len(mails); n == 0 || mails[n-1].name != m.name {
			mails = append(mails, m) // one kind of recipient is enough
		}
	}
	for i := range mails {
		mails[i].name += "-long"
	}
	for _, m := range noticeMails(t) {
		if slices.Contains(noticePictured, m.name) {
			mails = append(mails, m)
		}
	}
	hundred, err := RenderDigest(digestHundred(DigestHeadWeekly), nil)
	if err != nil {
		t.Fatal(err)
	}
	mails = append(mails, noticeMail{DigestHeadWeekly + "-hundred", hundred})
	browser := noticeBrowser(t)
	dir := t.ArtifactDir()
	for _, width := range []int64{390, 640} {
		if err := chromedp.Do(browser, chromedp.EmulateViewport(width, 1200)); err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			noticeFits(t, browser, m, width)
			if slices.Contains(noticePictured, m.name) {
				noticePictures(t, browser, filepath.Join(dir, fmt.Sprintf("%s-%d", m.name, width)))
			}
		}
	}
}

// noticePictured are the mails of which pictures are taken: the longest notices, and a digest of a week, of nothing and of a hundred.
var noticePictured = []string{NoticeAssisted, NoticeResetSubmitted, DigestHeadWeekly, DigestHeadWeekly + "-zero", DigestHeadWeekly + "-hundred"}

// noticeFits opens the mail and compares its width with the window's.
func noticeFits(t *testing.T, browser context.Context, m noticeMail, width int64) {
	t.Helper()
	source, err := json.Marshal(m.HTML)
	if err != nil {
		t.Fatal(err)
	}
	script := "document.open(); document.write(" + string(source) + "); document.close(); document.documentElement.scrollWidth"
	wide, err := chromedp.Run(browser, chromedp.Evaluate[int64](script))
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	if wide > width {
		t.Errorf("%s is %d px wide in a window of %d", m.name, wide, width)
	}
}

// noticePictures keeps the open mail light and dark, and measures that dark is dark.
func noticePictures(t *testing.T, browser context.Context, file string) {
	t.Helper()
	for _, mode := range []string{"light", "dark"} {
		_, err := chromedp.Call(browser, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode}},
		})
		if err != nil {
			t.Fatal(err)
		}
		shot, err := chromedp.Run(browser, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file+"-"+mode+".png", shot, 0o644); err != nil {
			t.Fatal(err)
		}
		if light := noticeLightness(t, shot); (light > 0x80) != (mode == "light") {
			t.Errorf("%s: %s mode has a lightness of %d", file, mode, light)
		}
	}
}

func noticeBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("hide-scrollbars", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, done := chromedp.NewContext(allocator)
	t.Cleanup(done)
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("starting chromium (scripts/setup installs it): %v", err)
	}
	return browser
}

// noticeLightness is the mean of the picture, 0 to 255.
func noticeLightness(t *testing.T, png []byte) uint64 {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(png))
	if err != nil {
		t.Fatal(err)
	}
	var sum, count uint64
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 4 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 4 {
			r, g, b, _ := img.At(x, y).RGBA()
			sum, count = sum+uint64(r>>8+g>>8+b>>8)/3, count+1
		}
	}
	return sum / count
}
