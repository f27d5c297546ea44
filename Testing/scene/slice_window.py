"""A slice view with a real window, off screen, that takes real mouse events; run it in a child process."""

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)


class SliceWindow:
    """Shows what a slice logic shows; points are (x, y) in pixels of the window, y up."""

    def __init__(self, host, view, size):
        host.scene.AddNode(slicer.vtkMRMLCrosshairNode())
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(host.applicationLogic)
        for name in MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.renderer = renderer = vtk.vtkRenderer()
        renderer.GetActiveCamera().ParallelProjectionOn()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(True)
        self.window.SetMultiSamples(0)
        self.window.AddRenderer(renderer)
        self.window.SetSize(*size)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self.group = slicer.vtkMRMLDisplayableManagerGroup()
        self.group.SetRenderer(renderer)
        self.group.Initialize(factory, renderer)
        self.group.SetMRMLDisplayableNode(view.node)
        self.style = slicer.vtkMRMLSliceViewInteractorStyle()
        self.style.SetSliceLogic(view.logic)
        self.style.SetDisplayableManagers(self.group)
        self.style.SetInteractor(self.interactor)
        self._show_image(view.logic)
        self.window.Render()

    def mouse(self, event, x, y, control=False, shift=False, alt=False):
        self.interactor.SetEventInformation(int(x), int(y), int(control), int(shift), chr(0), 0, None)
        self.interactor.SetAltKey(int(alt))
        self.interactor.InvokeEvent(f"{event}Event")

    def click(self, x, y, **modifiers):
        for event in ("MouseMove", "LeftButtonPress", "LeftButtonRelease"):
            self.mouse(event, x, y, **modifiers)

    def drag(self, start, end, button="Left", steps=4, **modifiers):
        self.mouse("MouseMove", *start, **modifiers)
        self.mouse(f"{button}ButtonPress", *start, **modifiers)
        for x, y in np.linspace(start, end, steps + 1)[1:]:
            self.mouse("MouseMove", x, y, **modifiers)
        self.mouse(f"{button}ButtonRelease", *end, **modifiers)

    def key(self, symbol, code=0):
        x, y = self.interactor.GetEventPosition()
        self.interactor.SetEventInformation(x, y, 0, 0, chr(code), 1, symbol)
        self.interactor.InvokeEvent("KeyPressEvent")

    def picture(self):
        """What the view shows: (H, W, 3) uint8, row 0 at the top."""
        self.window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self.window)
        grabber.ReadFrontBufferOff()
        grabber.Update()
        image = grabber.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1, :, :3].copy()

    def _show_image(self, logic):
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        mapper.SetInputConnection(logic.GetImageDataConnection())
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(actor)
